"""Pictures of every screen and dialog, in three sizes; looked at before they were accepted."""
