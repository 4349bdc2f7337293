"""Sockets opened, held, lent and adopted."""

from bindlab.opening.adoption import activated, adopt
from bindlab.opening.allocation import allocate
from bindlab.opening.reservation import Reservation
from bindlab.opening.sockets import backlog_of, bind, listen

__all__ = ["Reservation", "activated", "adopt", "allocate", "backlog_of", "bind", "listen"]
