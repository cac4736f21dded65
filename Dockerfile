# The server alone: Postgres is a container of its own (docker-compose.yml). The final image holds the program, the C
# library that it links, the certificates of public authorities for TLS to Postgres, and an unprivileged user.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY catalogue catalogue
COPY migrations migrations
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin keyway && cp target/release/keyway /keyway
COPY .ci/image .ci/image
RUN .ci/image /keyway /image

FROM scratch
COPY --from=build /image /
USER 10001:10001
ENV KEYWAY_LISTEN=0.0.0.0:8080 KEYWAY_DATA_DIR=/var/lib/keyway
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/keyway", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/keyway"]
