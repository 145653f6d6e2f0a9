"""The local platform: everything around the function in the cloud, on loopback, without an account.

Each package emulates one part. The modules beside the packages start processes and put the parts together.
Never here: the function, or anything that it imports.
"""
