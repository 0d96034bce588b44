"""Looks around in the watched stack with nothing but its addresses and secrets: what is there to watch?"""
