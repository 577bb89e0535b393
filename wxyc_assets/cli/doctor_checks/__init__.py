"""The checks of ``wxyc doctor``. A check yields diagnoses and never raises, so that one problem never hides the next.

What a check only reads belongs here; what corrects a problem is a command of its own.
"""
