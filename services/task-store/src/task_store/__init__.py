"""Every event in, Postgres rows out; recovery, polling, places in the line, history."""
