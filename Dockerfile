# cfmock in a container, serving what is mounted at /fixtures:
#
#   docker build -t cfmock .
#   docker run --rm -p 127.0.0.1:8790:8790 -v "$PWD/fixtures:/fixtures:ro" cfmock
#
# To keep state when the container is removed: -v cfmock-state:/state -e CFMOCK_STATE=/state/cfmock.db
#
# Inside it listens on all addresses, because nothing outside the container could reach it otherwise. So the admin API is
# off until you set a token: -e CFMOCK_ADMIN_TOKEN=...
#
# For HTTPS: -e CFMOCK_TLS=true, or -e CFMOCK_TLS_CERT=... -e CFMOCK_TLS_KEY=...

FROM python:3.13-slim AS build
COPY pyproject.toml README.md LICENSE /src/
COPY cfmock /src/cfmock
RUN python -m venv /opt/cfmock && /opt/cfmock/bin/pip install --no-cache-dir '/src[all]'

FROM python:3.13-slim
COPY --from=build /opt/cfmock /opt/cfmock
COPY fixtures /fixtures
RUN useradd --system --no-create-home cfmock && mkdir /state && chown cfmock /state
VOLUME /state
USER cfmock
ENV PATH=/opt/cfmock/bin:$PATH CFMOCK_HOST=0.0.0.0 CFMOCK_PORT=8790
EXPOSE 8790
STOPSIGNAL SIGTERM
# It asks this very server, so with HTTPS any certificate will do.
HEALTHCHECK --interval=5s --timeout=2s --start-period=5s CMD ["python", "-c", \
    "import os, ssl, http.client as h; to = '127.0.0.1', os.environ['CFMOCK_PORT']; \
tls = {'CFMOCK_TLS', 'CFMOCK_TLS_CERT'} & {n for n, v in os.environ.items() if v.lower() not in ('', 'false', 'no', 'off', '0')}; \
c = h.HTTPSConnection(*to, context=ssl._create_unverified_context()) if tls else h.HTTPConnection(*to); \
c.request('GET', '/_cfmock/health'); assert c.getresponse().status == 200"]
ENTRYPOINT ["cfmock"]
CMD ["serve", "/fixtures"]
