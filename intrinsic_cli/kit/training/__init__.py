"""The one training loop and what it needs: schedules, prefetch, processes, the log of a run."""
