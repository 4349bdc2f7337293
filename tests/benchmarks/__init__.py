"""What things cost, beside what people use instead: ``python -m tests.benchmarks``.

Only ratios are worth anything: machines differ, and this one does other things as well. So
whatever is compared takes turns in one process, each round gives a ratio, and the middle one
counts.
"""
