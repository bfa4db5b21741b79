"""The pages, for a WSGI server such as waitress: `review.wsgi:application`."""

from django.core.wsgi import get_wsgi_application

from review.setup import setup

setup()
application = get_wsgi_application()
