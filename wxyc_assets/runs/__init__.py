"""What every asset run shares, whatever its asset: lifecycle, locks, ledger, counts, findings, LML workers, progress.

Nothing here names an asset or imports Dagster; what needs Dagster belongs in ``orchestration``.
"""
