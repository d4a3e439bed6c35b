# Two stages; docs/decisions/0010-image.md says why it is built this way.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
RUN python3 -m venv /opt/tools && python3 -m venv --without-pip /opt/desk
COPY requirements-build.txt requirements.txt ./
RUN /opt/tools/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements-build.txt \
 && /opt/tools/bin/python -m pip --python /opt/desk/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements.txt
COPY . .
RUN /opt/tools/bin/python -m hatchling build --target wheel --directory /opt/wheel \
 && /opt/tools/bin/python -m pip --python /opt/desk/bin/python install --no-cache-dir --disable-pip-version-check --no-index --no-deps /opt/wheel/*.whl \
 && /opt/desk/bin/python -m compileall -q /opt/desk/lib \
 && /opt/desk/bin/jtickets compile /opt/desk/compiled

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="jtickets"
COPY --from=build /opt/desk /opt/desk
RUN mkdir -p /data/tmp && chown -R 10001:10001 /data
ENV PATH=/opt/desk/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/data/tmp \
    JTICKETS_STATE_DIR=/data \
    JTICKETS_COMPILED_DIR=/opt/desk/compiled \
    JTICKETS_DATABASE_URL=sqlite:////data/jtickets.db
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8720
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8720/healthz', timeout=4)"]
CMD ["jtickets", "serve", "--host", "0.0.0.0", "--port", "8720"]
