"""The shared database on PostgreSQL: one definer function writes, staff log-ins may call it and read, nothing else."""
