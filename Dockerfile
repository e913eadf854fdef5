# The server on Node, from the package that `npm pack` makes. Mount a volume at /data for SQLite; everything else may be read-only.

FROM node:24-slim AS build
WORKDIR /edgemint
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node_modules/.bin/tsc --project tsconfig.build.json
# From an empty folder: `npm prune` leaves empty ones behind.
RUN rm -rf node_modules && npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="edgemint" \
      org.opencontainers.image.description="OAuth 2.0 access tokens for machines" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="docker.io/library/node:24-slim"
WORKDIR /edgemint
COPY --from=build /edgemint/package.json package.json
COPY --from=build /edgemint/node_modules node_modules
COPY --from=build /edgemint/dist dist
COPY bin bin
# A new volume at /data gets this owner.
RUN mkdir /data && chown 1000:1000 /data
# The user node as a number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
ENV NODE_ENV=production \
    PORT=8080 \
    STORE_URL=sqlite:/data/edgemint.db
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Node as process 1, so that it receives the signal.
CMD ["node", "bin/edgemint.js", "serve"]
