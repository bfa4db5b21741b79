"""The pages, for a WSGI server such as waitress: `review.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "review.settings")

application = get_wsgi_application()
