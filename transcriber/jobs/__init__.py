"""Recordings that outlive a request: who works on which, where results are kept, what a bucket still lacks.

Belongs here: leases, parts, results, records of jobs, sweeps. Never here: transcribing, or the order of steps.
"""
