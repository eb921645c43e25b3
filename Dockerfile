# syntax=docker/dockerfile:1
# One image for web, workers, beat and migrations; the command says which. It holds no secrets and
# no state: settings come from the environment (docs/settings.md), files from a volume.

FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/huiyin
COPY requirements.txt ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --requirement requirements.txt
COPY config.py wsgi.py ./
COPY campaigns campaigns
COPY workers workers
COPY templates templates
COPY static static
COPY migrations migrations
RUN /opt/venv/bin/python -m compileall -q .

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin huiyin \
    && install --directory --owner huiyin --mode 0700 /var/lib/huiyin
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/huiyin /srv/huiyin
WORKDIR /srv/huiyin
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    INSTANCE_DIR=/var/lib/huiyin
USER huiyin
VOLUME /var/lib/huiyin
EXPOSE 8000
# Alive, not ready: with the broker gone pages and webhooks still work, so the web must stay up.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "wsgi:app", "--host", "0.0.0.0", "--port", "8000", \
    "--workers", "2", "--blocking-threads", "512", "--http", "1", "--no-ws", "--no-access-log", \
    "--log-level", "warning", "--respawn-failed-workers"]
