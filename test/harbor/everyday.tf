# What a team writes down: people, groups, robots, labels and settings, each with fields that are easily lost.
terraform {
  required_providers {
    harbor = { source = "goharbor/harbor" }
  }
}
provider "harbor" {}

variable "promoted" {
  type    = bool
  default = false
}

resource "harbor_config_system" "main" {
  project_creation_restriction = "adminonly"
  robot_token_expiration       = 30
  session_timeout              = 60
  storage_per_project          = 100

  disabled_audit_log_event_types = "pull_artifact"

  banner_message {
    message   = "maintenance on Sunday"
    type      = "info"
    closable  = true
    from_date = "10/01/2026"
    to_date   = "10/02/2030"
  }
}
resource "harbor_project" "team" {
  name                   = "team"
  public                 = true
  vulnerability_scanning = true
  deployment_security    = "high"
  cve_allowlist          = ["CVE-2026-2", "CVE-2026-1"]
  storage_quota          = 5
  force_destroy          = true
}
resource "harbor_user" "mia" {
  username  = "mia"
  password  = "Marina-2026"
  full_name = "Mia"
  email     = "mia@example.com"
  admin     = var.promoted
}
resource "harbor_project_member_user" "mia" {
  project_id = harbor_project.team.id
  user_name  = harbor_user.mia.username
  role       = var.promoted ? "projectadmin" : "maintainer"
}
resource "harbor_group" "crew" {
  group_name = "crew"
  group_type = 3
}
resource "harbor_project_member_group" "crew" {
  project_id = harbor_project.team.id
  group_name = harbor_group.crew.group_name
  role       = "limitedguest"
  type       = "oidc"
}
resource "harbor_robot_account" "system" {
  name        = "all-projects"
  description = "pulls everywhere"
  level       = "system"
  duration    = -1
  permissions {
    kind      = "project"
    namespace = "*"
    access {
      resource = "repository"
      action   = "pull"
    }
  }
  permissions {
    kind      = "system"
    namespace = "/"
    access {
      resource = "project"
      action   = "list"
    }
  }
}
resource "harbor_robot_account" "project" {
  name     = "builder"
  level    = "project"
  duration = 30
  permissions {
    kind      = "project"
    namespace = harbor_project.team.name
    access {
      resource = "repository"
      action   = "pull"
    }
    access {
      resource = "repository"
      action   = "push"
    }
  }
}
resource "harbor_label" "everywhere" {
  name  = "urgent"
  color = "#FF0000"
}
resource "harbor_label" "team" {
  name        = "reviewed"
  color       = "#00FF00"
  description = "somebody looked"
  project_id  = harbor_project.team.id
}
data "harbor_project" "team" {
  name       = harbor_project.team.name
  depends_on = [harbor_project.team]
}
data "harbor_projects" "all" {
  depends_on = [harbor_project.team]
}
data "harbor_users" "all" {
  depends_on = [harbor_user.mia]
}
