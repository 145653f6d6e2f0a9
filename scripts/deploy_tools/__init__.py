"""Deploys the function with the Serverless Framework and Scaleway's plugin, which run on Node."""
