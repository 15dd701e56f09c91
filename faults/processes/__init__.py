"""The real processes of the services, wired with a failpoint: nothing of this runs in production."""
