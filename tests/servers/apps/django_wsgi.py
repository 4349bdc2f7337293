"""A Django project of one view, which answers with the address of who asks."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path


def peer(request):
    return HttpResponse(f"{request.META['REMOTE_ADDR']} ?")


urlpatterns = [path("", peer)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="for tests")
app = get_wsgi_application()
