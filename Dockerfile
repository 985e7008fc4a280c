# SPDX-License-Identifier: Apache-2.0
# Images of the servers and tools, from source: docker build --target broker|namesrv|sidecar|cli .
# `./dev image` builds them all and checks their sizes. Build arguments http_proxy and https_proxy are
# Docker's own; APT_MIRROR names a Debian mirror instead of the one in the base image.
ARG BASE=debian:bookworm-slim
ARG WARM=tools

# What a build needs. Made anew only when the list of packages changes.
FROM ${BASE} AS tools
# A value that no build had before makes everything anew.
ARG REBUILD=
ARG APT_MIRROR=
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN dpkg-query -W -f '${Package}\n' > /base-packages
COPY tools/dev/packages.sh /packages.sh
RUN if [ -n "$APT_MIRROR" ]; then \
      find /etc/apt -name '*.list' -o -name '*.sources' | xargs sed -i -E "s|https?://[^ ]*/debian |$APT_MIRROR |"; \
    fi; \
    . /packages.sh; \
    apt-get update -qq; \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${build_packages[@]}" > /dev/null; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb; \
    mkdir /ccache
ENV CCACHE_DIR=/ccache CCACHE_MAXSIZE=2G CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=/src

# An earlier `build`, for what its compiler cache still knows. The default knows nothing.
FROM ${WARM} AS warm

FROM tools AS build
COPY --from=warm /ccache /ccache
WORKDIR /src
COPY . .
# Processes that compile at once; 0: as many as there are CPUs.
ARG JOBS=0
RUN cmake --preset release > /dev/null; \
    ninja -C build/release -j "$([ "$JOBS" = 0 ] && nproc || echo "$JOBS")"
# The broker's image holds the sidecar's program for its preStop hook.
RUN export SOURCE_DATE_EPOCH=0; \
    tools/image/rootfs build/release /base-packages /out/broker gantry-broker gantry-sidecar; \
    tools/image/rootfs build/release /base-packages /out/namesrv gantry-namesrv; \
    tools/image/rootfs build/release /base-packages /out/sidecar gantry-sidecar; \
    tools/image/rootfs build/release /base-packages /out/cli gantry

FROM ${BASE} AS runtime
ENV HOME=/var/lib/gantry LANG=C.UTF-8
USER 10001:10001

FROM runtime AS broker
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gantry broker" \
      org.opencontainers.image.description="Message broker that speaks Apache RocketMQ's protocols" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="debian:bookworm-slim"
COPY --from=build /out/broker/ /
EXPOSE 10911 10909 10912 5557
ENTRYPOINT ["/usr/local/bin/gantry-broker"]

FROM runtime AS namesrv
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gantry NameServer" \
      org.opencontainers.image.description="Route table of a Gantry cluster" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="debian:bookworm-slim"
COPY --from=build /out/namesrv/ /
EXPOSE 9876 5558
ENTRYPOINT ["/usr/local/bin/gantry-namesrv"]

FROM runtime AS sidecar
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gantry sidecar" \
      org.opencontainers.image.description="Keeps the leader label of a Gantry broker's pod true" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="debian:bookworm-slim"
COPY --from=build /out/sidecar/ /
EXPOSE 5559
ENTRYPOINT ["/usr/local/bin/gantry-sidecar"]

FROM runtime AS cli
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gantry command line" \
      org.opencontainers.image.description="Topics, groups, messages and members of a Gantry cluster" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="debian:bookworm-slim"
COPY --from=build /out/cli/ /
ENTRYPOINT ["/usr/local/bin/gantry"]
