"""The parts of `bench_evaluation.py`: frames, networks, the procedures side by side, peak memory,
the floor, and what makes the baseline credible."""
