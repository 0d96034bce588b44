"""How a smoke run is told: to people, to GitHub, to programs. Pure: a report in, text out."""
