-- select_head: the digest of the last entry of the chain of seals.
SELECT s.digest FROM wxyc_assets.seal s ORDER BY s.seal_id DESC LIMIT 1
