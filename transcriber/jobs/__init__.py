"""Recordings that outlive a request: who works on which, where results are kept, what a bucket still lacks.

Belongs here: leases, results, sweeps; parts of recordings and records of jobs will live here. Never here: transcribing,
or HTTP answers.
"""
