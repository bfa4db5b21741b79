"""What people must be told of who do not look at the pages: found in the database, told once a cause."""

from review.alerts.history import Telling, closed, closed_alerts, count, open_alerts, tellings
from review.alerts.standing import look
from review.alerts.telling import tell, try_out

__all__ = [
    "Telling",
    "closed",
    "closed_alerts",
    "count",
    "look",
    "open_alerts",
    "tell",
    "tellings",
    "try_out",
]
