"""What keeps a deployment from happening."""


class DeploymentError(Exception):
    """Nothing was deployed, or not all of it; the message says why and what to do, and holds no secret."""
