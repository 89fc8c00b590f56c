"""The Dataverse simulator, asked over its socket."""
