# The portal: the citizen's walk and the dashboards. Build it from the root of the checkout: docs/deployment.md.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# Where packages come from, if not from the public index. Whatever comes is held to its hash.
ARG PIP_INDEX_URL
COPY requirements/portal.txt /
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --root-user-action ignore \
        --require-hashes --no-deps --only-binary :all: -r /portal.txt
WORKDIR /app
COPY contracts contracts
COPY chassis chassis
COPY portal portal
# Everybody may read and nobody write, whatever the modes of the checkout.
RUN /opt/venv/bin/python -m compileall -q . && chmod -R a=rX .

FROM ${PYTHON_IMAGE} AS assets
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ARG PIP_INDEX_URL
ARG NPM_CONFIG_REGISTRY
ARG NODE_EXTRA_CA_CERTS
COPY requirements/assets.txt /
RUN pip --python /opt/venv/bin/python install --no-cache-dir --root-user-action ignore \
        --require-hashes --no-deps --only-binary :all: -r /assets.txt \
    && /opt/venv/bin/python -m portal.assets build && chmod -R a=rX portal/static

FROM ${PYTHON_IMAGE}
RUN install -d -o 10001 -g 10001 -m 0700 /keys
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY --from=assets /app/portal/static /app/portal/static
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORTAL_HOST=0.0.0.0 \
    PORTAL_OPERATIONS_HOST=0.0.0.0 \
    PORTAL_KEYS_DIR=/keys
USER 10001:10001
EXPOSE 8000 8020
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "chassis.probe", "8020", "/healthz"]
ENTRYPOINT ["python", "-m", "portal"]
CMD ["serve"]
LABEL org.opencontainers.image.title="Hài Lòng: portal" \
    org.opencontainers.image.description="The citizen's walk and the dashboards." \
    org.opencontainers.image.licenses="MIT"
