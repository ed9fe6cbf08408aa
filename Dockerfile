# syntax=docker/dockerfile:1
#
#   docker build -t sonifold:cpu .                            for any processor
#   docker build -t sonifold:cuda --build-arg TORCH=cuda .    for an NVIDIA GPU
#   docker build -t sonifold:cluster --build-arg EXTRAS="cluster postgres s3" .    with Ray and clients of other stores
#
# docker-compose.yml says how it is run.

# The same image each time: 3.11.16 on Debian, for all processors. The digest of a newer one, to be tried with
# --build-arg BASE=python:3.11-slim@sha256:<digest>: docker buildx imagetools inspect python:3.11-slim
ARG BASE=python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7

FROM ${BASE} AS build
ARG TORCH=cpu
ARG EXTRAS=
WORKDIR /src
# The dependencies change seldom and are large: a layer of their own, kept while these files stay the same.
COPY pyproject.toml constraints.txt requirements.lock ./
COPY tools tools
RUN --mount=type=cache,target=/var/cache/pip PIP_CACHE_DIR=/var/cache/pip \
    python tools/install.py --venv /opt/sonifold --torch ${TORCH} --only-dependencies ${EXTRAS}
COPY README.md LICENSE NOTICE ./
COPY backend backend
COPY frontend frontend
COPY models models
RUN python tools/install.py --venv /opt/sonifold --no-editable

FROM ${BASE}
RUN useradd --create-home --uid 10001 sonifold && install -d -o sonifold -g sonifold /data
COPY --from=build /opt/sonifold /opt/sonifold
# Libraries inside it have licences that ask to be named.
COPY LICENSE NOTICE /usr/share/doc/sonifold/
USER sonifold
# All interfaces, because the world outside reaches a container by its own address. Sonifold then insists on
# SONIFOLD_TOKEN, which is given when the container is started: docker-compose.yml does.
ENV PATH=/opt/sonifold/bin:$PATH \
    SONIFOLD_HOST=0.0.0.0 \
    SONIFOLD_PORT=8750 \
    SONIFOLD_DATA=/data
VOLUME /data
EXPOSE 8750
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8750/readyz', timeout=4)"]
CMD ["sonifold", "serve"]
