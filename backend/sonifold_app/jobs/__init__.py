"""Long work in a process of its own, so that the page stays quick: what was asked for, how it goes, who does it.

store    jobs and their events, in the user's database
worker   the process that does one job: `python -m sonifold_app.jobs.worker`
runner   starts workers one after the other, and starts anew what a crash interrupted
"""
