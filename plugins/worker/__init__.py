"""Worker: what another machine does of a release, for whoever asks it for an action."""
