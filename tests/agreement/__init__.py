"""Does the kernel agree? What bindlab predicts, against what really connects in the lab.

``python -m tests.agreement`` runs every named topology and, with ``--random``, made-up ones.
"""
