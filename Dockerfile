# syntax=docker/dockerfile:1
#
#   docker build -t sonifold:cpu .                            for any processor
#   docker build -t sonifold:cuda --build-arg TORCH=cuda .    for an NVIDIA GPU
#
# docker-compose.yml says how it is run.

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG TORCH=cpu
WORKDIR /src
# The dependencies change seldom and are large: a layer of their own, kept while these files stay the same.
COPY pyproject.toml constraints.txt ./
COPY tools tools
RUN --mount=type=cache,target=/var/cache/pip PIP_CACHE_DIR=/var/cache/pip \
    python tools/install.py --venv /opt/sonifold --torch ${TORCH} --only-dependencies
COPY README.md LICENSE ./
COPY backend backend
COPY frontend frontend
COPY models models
RUN python tools/install.py --venv /opt/sonifold --no-editable

FROM python:${PYTHON}-slim
RUN useradd --create-home --uid 10001 sonifold && install -d -o sonifold -g sonifold /data
COPY --from=build /opt/sonifold /opt/sonifold
USER sonifold
# All interfaces, because the world outside reaches a container by its own address. Sonifold then insists on
# SONIFOLD_TOKEN, which is given when the container is started: docker-compose.yml does.
ENV PATH=/opt/sonifold/bin:$PATH \
    SONIFOLD_HOST=0.0.0.0 \
    SONIFOLD_PORT=8750 \
    SONIFOLD_DATA=/data
VOLUME /data
EXPOSE 8750
CMD ["sonifold", "serve"]
