"""Whether this process lives, and whether it can work."""

from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from psycopg_pool import PoolTimeout


async def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (OperationalError, PoolTimeout):
        return JsonResponse({"ready": False, "postgresql": "does not answer"}, status=503)
    return JsonResponse({"ready": True})
