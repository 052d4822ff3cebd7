# Eden: server, proxy and command line in one image.
#   docker build -t eden:0.1.0 .
# The images it stands on are arguments, for registries of one's own.
ARG MAVEN_IMAGE=maven:3.9-eclipse-temurin-25
ARG JAVA_IMAGE=eclipse-temurin:25-jre

# What the launcher builds everywhere: every jar a file of its own in api-server/target/eden.
FROM ${MAVEN_IMAGE} AS build
WORKDIR /src
COPY . .
RUN ./eden --version

# Nothing of the build stays but the jars and the launcher.
FROM ${JAVA_IMAGE} AS runtime
RUN useradd --system --uid 10001 --user-group --create-home --home-dir /var/lib/eden eden
COPY --from=build /src/api-server/target/eden/lib /opt/eden/lib
COPY --from=build /src/api-server/target/eden/eden /opt/eden/eden
ENV PATH=/opt/eden:$PATH

# Server and proxy run once, on the servers among the jars: the JVM keeps their classes and profiles (a third of the start).
# On the Java runtime that will use it: another build of the same version ignores the cache.
FROM runtime AS trained
RUN eden train

FROM runtime
COPY --from=trained /opt/eden/eden.aot /opt/eden/eden.aot
ENV EDEN_DATA_DIR=/var/lib/eden \
    EDEN_LOG=json \
    EDEN_ADMIN_PORT=8001 \
    EDEN_METRICS_PORT=8001
USER 10001:10001
VOLUME /var/lib/eden
# Redis and PostgreSQL clients, REST, and metrics with health.
EXPOSE 6379 5432 8000 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["eden", "probe", "http://127.0.0.1:8001/health/ready"]
# SIGTERM drains: see docs/operating.md.
STOPSIGNAL SIGTERM
ENTRYPOINT ["eden"]
CMD ["server"]
