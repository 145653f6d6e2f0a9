"""Who asks the function besides clients: the queue's trigger and the schedules."""
