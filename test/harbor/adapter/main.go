// Harbor's own replication adapters as a program: what they list of a registry, pull from it and push to it, in JSON.
//
//	harbor-adapter TYPE URL USER COMMAND ARGUMENT…     (PASSWORD; LOG_LEVEL=fatal, for Harbor logs to stdout)
//
//	health                          fetch [FILTER=VALUE…]           info
//	exist REPOSITORY REFERENCE      manifest REPOSITORY REFERENCE   blob REPOSITORY DIGEST
//	chunk REPOSITORY DIGEST SIZE START END                          referrers REPOSITORY DIGEST
//	mountable DIGEST                copy REPOSITORY TAG TO [FROM]   untag REPOSITORY TAG
//
// FROM is the URL of another registry that is open to everybody.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	_ "github.com/goharbor/harbor/src/pkg/accessory/model/base"
	_ "github.com/goharbor/harbor/src/pkg/accessory/model/cosign"
	_ "github.com/goharbor/harbor/src/pkg/accessory/model/notation"
	_ "github.com/goharbor/harbor/src/pkg/accessory/model/nydus"
	_ "github.com/goharbor/harbor/src/pkg/accessory/model/sbom"
	_ "github.com/goharbor/harbor/src/pkg/accessory/model/subject"
	"github.com/goharbor/harbor/src/pkg/reg/adapter"
	_ "github.com/goharbor/harbor/src/pkg/reg/adapter/harbor"
	"github.com/goharbor/harbor/src/pkg/reg/adapter/native"
	"github.com/goharbor/harbor/src/pkg/reg/model"
)

type object = map[string]any

func main() {
	if len(os.Args) < 5 {
		fail(fmt.Errorf("usage: harbor-adapter TYPE URL USER COMMAND ARGUMENT…"))
	}
	registry := &model.Registry{Type: os.Args[1], URL: os.Args[2]}
	if user := os.Args[3]; user != "" {
		registry.Credential = &model.Credential{Type: "basic", AccessKey: user, AccessSecret: os.Getenv("PASSWORD")}
	}
	factory, err := adapter.GetFactory(registry.Type)
	fail(err)
	opened, err := factory.Create(registry)
	fail(err)
	answer, err := run(opened, os.Args[4], os.Args[5:])
	fail(err)
	fail(json.NewEncoder(os.Stdout).Encode(answer))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(opened adapter.Adapter, command string, arguments []string) (any, error) {
	artifacts := opened.(adapter.ArtifactRegistry)
	argument := func(at int) string {
		if at < len(arguments) {
			return arguments[at]
		}
		return ""
	}
	switch command {
	case "health":
		return opened.HealthCheck()
	case "info":
		return opened.Info()
	case "fetch":
		return fetch(artifacts, arguments)
	case "exist":
		exists, descriptor, err := artifacts.ManifestExist(argument(0), argument(1))
		return object{"exists": exists, "descriptor": descriptor}, err
	case "manifest":
		manifest, digest, err := artifacts.PullManifest(argument(0), argument(1))
		if err != nil {
			return nil, err
		}
		mediaType, payload, err := manifest.Payload()
		return object{"digest": digest, "mediaType": mediaType, "computed": digestOf(payload)}, err
	case "blob":
		return blob(artifacts.PullBlob(argument(0), argument(1)))
	case "chunk":
		return blob(artifacts.PullBlobChunk(argument(0), argument(1), number(argument(2)), number(argument(3)), number(argument(4))))
	case "referrers":
		index, _, err := artifacts.ListReferrers(argument(0), argument(1), "")
		return index, err
	case "mountable":
		yes, repository, err := artifacts.CanBeMount(argument(0))
		return object{"mountable": yes, "repository": repository}, err
	case "copy":
		source := artifacts
		if from := argument(3); from != "" {
			source = native.NewAdapter(&model.Registry{Type: model.RegistryTypeDockerRegistry, URL: from})
		}
		return copied(source, opened, argument(0), argument(1), argument(2))
	case "untag":
		return nil, artifacts.DeleteTag(argument(0), argument(1))
	}
	return nil, fmt.Errorf("unknown command %s", command)
}

// fetch takes filters such as `name=library/**`, `tag!=v*` and `label=stable`.
func fetch(artifacts adapter.ArtifactRegistry, arguments []string) (any, error) {
	var filters []*model.Filter
	for _, each := range arguments {
		kind, value, _ := strings.Cut(each, "=")
		filter := &model.Filter{Type: strings.TrimSuffix(kind, "!"), Value: value, Decoration: model.Matches}
		if strings.HasSuffix(kind, "!") {
			filter.Decoration = model.Excludes
		}
		if filter.Type == model.FilterTypeLabel {
			filter.Value = strings.Split(value, ",")
		}
		filters = append(filters, filter)
	}
	resources, err := artifacts.FetchArtifacts(filters)
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, each := range resources {
		found = append(found, object{"repository": each.Metadata.Repository.Name, "artifacts": each.Metadata.Artifacts})
	}
	return found, nil
}

func blob(size int64, content io.ReadCloser, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	defer content.Close()
	payload, err := io.ReadAll(content)
	return object{"size": size, "read": len(payload), "computed": digestOf(payload)}, err
}

// copied pushes an image to another repository, in the order in which Harbor replicates one.
func copied(source adapter.ArtifactRegistry, opened adapter.Adapter, repository, tag, to string) (any, error) {
	target := opened.(adapter.ArtifactRegistry)
	resource := &model.Resource{Metadata: &model.ResourceMetadata{Repository: &model.Repository{Name: to}}}
	if err := opened.PrepareForPush([]*model.Resource{resource}); err != nil {
		return nil, err
	}
	manifest, _, err := source.PullManifest(repository, tag)
	if err != nil {
		return nil, err
	}
	mounted := []string{}
	for _, part := range manifest.References() {
		digest := part.Digest.String()
		if there, err := target.BlobExist(to, digest); err != nil || there {
			if err != nil {
				return nil, err
			}
			continue
		}
		from, err := transfer(source, target, repository, digest, to)
		if err != nil {
			return nil, err
		}
		if from != "" {
			mounted = append(mounted, from)
		}
	}
	mediaType, payload, err := manifest.Payload()
	if err != nil {
		return nil, err
	}
	digest, err := target.PushManifest(to, tag, mediaType, payload)
	return object{"digest": digest, "mounted": mounted}, err
}

// transfer mounts a blob, or pulls and pushes it where it cannot be mounted.
func transfer(source, target adapter.ArtifactRegistry, repository, digest, to string) (mountedFrom string, err error) {
	mountable, from, err := target.CanBeMount(digest)
	if err != nil {
		return "", err
	}
	if mountable {
		return from, target.MountBlob(from, digest, to)
	}
	size, content, err := source.PullBlob(repository, digest)
	if err != nil {
		return "", err
	}
	defer content.Close()
	payload, err := io.ReadAll(content)
	if err != nil {
		return "", err
	}
	return "", target.PushBlob(to, digest, size, bytes.NewReader(payload))
}

func digestOf(payload []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(payload))
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	fail(err)
	return value
}
