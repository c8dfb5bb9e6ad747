# What leads out of a registry, and what it does by itself: other registries, replication, webhooks, rules and schedules.
terraform {
  required_providers {
    harbor = { source = "goharbor/harbor" }
  }
}
provider "harbor" {}

variable "origin" {
  type = string
}
variable "changed" {
  type    = bool
  default = false
}

resource "harbor_registry" "hub" {
  provider_name = "docker-hub"
  name          = "hub"
  description   = var.changed ? "no login any more" : ""
  endpoint_url  = "https://hub.docker.com"
}
resource "harbor_registry" "origin" {
  provider_name = "docker-registry"
  name          = var.changed ? "behind" : "origin"
  endpoint_url  = var.origin
  access_id     = "me"
  access_secret = "a-secret"
  insecure      = true
}
resource "harbor_project" "cache" {
  name        = "hub-cache"
  registry_id = harbor_registry.hub.registry_id
}
resource "harbor_project" "team" {
  name = "team"
}
resource "harbor_replication" "everything_in" {
  name           = "everything-in"
  action         = "pull"
  registry_id    = harbor_registry.origin.registry_id
  schedule       = var.changed ? "0 0/15 * * * *" : "0 0 3 * * *"
  dest_namespace = harbor_project.team.name
  override       = false
  filters {
    name = "library/**"
  }
  filters {
    tag        = "{v1,v2}*"
    decoration = "excludes"
  }
  filters {
    resource = "artifact"
  }
}
resource "harbor_replication" "releases_out" {
  name                      = "releases-out"
  description               = "as they are pushed"
  action                    = "push"
  registry_id               = harbor_registry.origin.registry_id
  schedule                  = var.changed ? "manual" : "event_based"
  dest_namespace            = "mirror"
  dest_namespace_replace    = 1
  deletion                  = true
  enabled                   = !var.changed
  speed                     = 2048
  copy_by_chunk             = true
  single_active_replication = true
  filters {
    name = "team/**"
  }
  filters {
    labels = [harbor_label.reviewed.name]
  }
}
resource "harbor_label" "reviewed" {
  name = "reviewed"
}
resource "harbor_project_webhook" "http" {
  name             = "deploy"
  description      = "tells the pipeline"
  project_id       = harbor_project.team.id
  address          = "https://hooks.example.com/deploy"
  notify_type      = "http"
  auth_header      = "Bearer of-good-news"
  skip_cert_verify = var.changed
  events_types     = var.changed ? ["PUSH_ARTIFACT"] : ["PUSH_ARTIFACT", "DELETE_ARTIFACT", "REPLICATION"]
}
resource "harbor_project_webhook" "slack" {
  name         = "talk"
  project_id   = harbor_project.team.id
  address      = "https://hooks.slack.com/services/T/B/x"
  notify_type  = "slack"
  enabled      = var.changed
  events_types = ["QUOTA_EXCEED", "QUOTA_WARNING"]
}
resource "harbor_immutable_tag_rule" "releases" {
  project_id    = harbor_project.team.id
  repo_matching = "**"
  tag_excluding = var.changed ? "dev-*" : "latest"
  disabled      = var.changed
}
resource "harbor_garbage_collection" "nightly" {
  schedule        = var.changed ? "0 30 2 * * *" : "Daily"
  delete_untagged = var.changed
  workers         = 2
}
resource "harbor_config_security" "known" {
  cve_allowlist = var.changed ? ["CVE-2026-3"] : ["CVE-2026-2", "CVE-2026-1"]
  expires_at    = 1893456000
}
data "harbor_registry" "hub" {
  name = harbor_registry.hub.name
}
