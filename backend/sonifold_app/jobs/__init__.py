"""Long work in a process of its own, so that the page stays quick: what was asked for, how it goes, who does it.

backend  what the service needs of whoever does the jobs
local    does them in processes here, one after the other, and starts anew what a crash interrupted
waits    jobs that cannot go on at the moment, and when each is tried again
worker   the process that does one job: `python -m sonifold_app.jobs.worker`
feed     the events of jobs, for all who watch
"""
