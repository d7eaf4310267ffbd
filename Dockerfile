# Shardcast with all its features, for `docker build .` with BuildKit and without.
#
#   docker build -t shardcast .
#   docker run -p 8080:80 -v shardcast-data:/app/data shardcast
#
# The image holds the program, the C library, certificates and time zones: no shell, no package manager. It runs as
# user 65532, needs no capability, and writes to /app/data alone, so `--read-only --cap-drop ALL` is fine.

# 1.95 or later.
ARG RUST_IMAGE=rust:1-bookworm

FROM ${RUST_IMAGE} AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src

# The dependencies, with empty programs in the places that the manifests name. This layer is built again only when a
# manifest changes.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
COPY benchmark/Cargo.toml benchmark/
COPY examples/hub_only/Cargo.toml examples/hub_only/
COPY fuzz/Cargo.toml fuzz/
RUN set -eu; \
    mkdir -p src benchmark/src; \
    touch src/lib.rs; \
    echo 'fn main() {}' | tee src/main.rs >benchmark/src/main.rs; \
    awk '/^\[/ { kind = $0 } \
        /^name = / && kind == "[[example]]" { gsub(/"/, "", $3); print "examples/" $3 ".rs" } \
        /^name = / && kind == "[[bench]]" { gsub(/"/, "", $3); print "benches/" $3 ".rs" } \
        /^path = / && kind == "[[test]]" { gsub(/"/, "", $3); print $3 }' Cargo.toml \
        | while read -r stub; do mkdir -p "$(dirname "$stub")"; cp src/main.rs "$stub"; done; \
    cargo build --profile dist --locked --package shardcast --all-features

COPY . .
# What `GET /version` says: `--build-arg SHARDCAST_COMMIT=$(git rev-parse HEAD)`. The date is that of the build, or
# SOURCE_DATE_EPOCH.
ARG SHARDCAST_COMMIT
ARG SOURCE_DATE_EPOCH
# The stubs were built later than what has been copied was written.
RUN touch src/lib.rs src/main.rs && cargo build --profile dist --locked --package shardcast --all-features

# The root of the final image. The loader and the libraries go where the program looks for them.
RUN set -eu; \
    mkdir -p /root-of-image; cd /root-of-image; \
    mkdir -p app/data etc/ssl/certs usr/share tmp; \
    cp /src/target/dist/shardcast app/; \
    for library in $(ldd app/shardcast | grep -o '/[^ ]*'); do cp --parents --dereference "$library" .; done; \
    cp --dereference /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/; \
    cp -r /usr/share/zoneinfo usr/share/; rm -rf usr/share/zoneinfo/right usr/share/zoneinfo/posix; \
    echo 'shardcast:x:65532:65532::/app:/app/shardcast' >etc/passwd; \
    echo 'shardcast:x:65532:' >etc/group; \
    chmod 1777 tmp; chown 65532:65532 app/data

FROM scratch
COPY --from=build /root-of-image /
# Once more for its owner, which not every builder keeps.
COPY --from=build --chown=65532:65532 /root-of-image/app/data /app/data
LABEL org.opencontainers.image.title=Shardcast \
    org.opencontainers.image.description="A push-notification server that speaks Gotify's API" \
    org.opencontainers.image.licenses=MIT
# Temporary files of SQLite, since nothing else can be written to.
ENV PATH=/app SQLITE_TMPDIR=/app/data
WORKDIR /app
USER 65532:65532
VOLUME /app/data
EXPOSE 80
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s --retries=3 CMD ["shardcast", "healthcheck"]
ENTRYPOINT ["shardcast"]
