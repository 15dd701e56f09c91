# Verification: API (serve) and worker. Build it from the root of the checkout: docs/deployment.md.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# Where packages come from, if not from the public index. Whatever comes is held to its hash.
ARG PIP_INDEX_URL
COPY requirements/verification.txt /
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --root-user-action ignore \
        --require-hashes --no-deps --only-binary :all: -r /verification.txt
WORKDIR /app
COPY contracts contracts
COPY chassis chassis
COPY services/__init__.py services/
COPY services/verification services/verification
# Everybody may read and nobody write, whatever the modes of the checkout.
RUN /opt/venv/bin/python -m compileall -q . && chmod -R a=rX .

FROM ${PYTHON_IMAGE}
RUN install -d -o 10001 -g 10001 -m 0700 /keys /outbox
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VERIFICATION_HOST=0.0.0.0 \
    VERIFICATION_OPERATIONS_HOST=0.0.0.0 \
    VERIFICATION_WORKER_OPERATIONS_PORT=8022 \
    VERIFICATION_KEYS_DIR=/keys \
    VERIFICATION_OUTBOX_DIR=/outbox
USER 10001:10001
EXPOSE 8002 8022
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "chassis.probe", "8022", "/healthz"]
ENTRYPOINT ["python", "-m", "services.verification"]
CMD ["serve"]
LABEL org.opencontainers.image.title="Hài Lòng: verification" \
    org.opencontainers.image.description="Challenges and outcomes over HTTP; decides submissions." \
    org.opencontainers.image.licenses="MIT"
