"""The Mini App: its React source, its built `dist`, and the static site that serves it."""
