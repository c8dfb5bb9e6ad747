# Entrepôt on one machine. Everything it keeps is in /data.
FROM aquasec/trivy:0.72.0 AS trivy
FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY bin bin
COPY lib lib
COPY --from=trivy /usr/local/bin/trivy /usr/local/bin/trivy
RUN mkdir /data && chown node:node /data
USER node
ENV ENTREPOT_DATA=/data ENTREPOT_HOST=0.0.0.0 ENTREPOT_LOG_TO=stdout
VOLUME /data
EXPOSE 5050
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:5050/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/local.ts"]
