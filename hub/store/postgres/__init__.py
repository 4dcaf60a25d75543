"""The store on PostgreSQL, which any number of processes write to at once."""
