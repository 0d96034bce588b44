"""The methods of the Bot API, by name."""

from demo.botapi.methods.call import Call, Method, Said
from demo.botapi.methods.catalogue import METHODS

__all__ = ["METHODS", "Call", "Method", "Said"]
