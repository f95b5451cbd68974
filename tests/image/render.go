// SPDX-License-Identifier: Apache-2.0

// Renders the Helm chart as Helm does, for what the chart uses of it, since Debian has no helm:
//
//	render chart CHART.tgz NAMESPACE VALUES FILE...	the definitions, then the templates named, as one file of
//	                                                documents; VALUES is a YAML file put over the chart's, or "-"
//	render objects FILE                             each document as a line of JSON, sorted: to compare what
//	                                                two files mean
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/xeipuuv/gojsonschema"
	yaml2 "gopkg.in/yaml.v2"
	"gopkg.in/yaml.v3"
)

type object = map[string]interface{}

// The files of the archive by their names below its only folder.
func readChart(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		files[strings.TrimPrefix(h.Name, "tandem/")] = string(text)
	}
}

// As Helm puts values over values: maps member by member, all else as a whole.
func merge(base, over object) {
	for k, v := range over {
		if b, ok := base[k].(object); ok {
			if o, ok := v.(object); ok {
				merge(b, o)
				continue
			}
		}
		base[k] = v
	}
}

func checkSchema(schema string, values object) error {
	r, err := gojsonschema.Validate(gojsonschema.NewStringLoader(schema), gojsonschema.NewGoLoader(values))
	if err != nil {
		return err
	}
	var all []string
	for _, e := range r.Errors() {
		all = append(all, e.String())
	}
	if len(all) > 0 {
		return errors.New("values: " + strings.Join(all, "; "))
	}
	return nil
}

// Helm's own function; its YAML is that of yaml.v2.
func toYaml(v interface{}) (string, error) {
	text, err := yaml2.Marshal(v)
	return strings.TrimSuffix(string(text), "\n"), err
}

func chartData(files map[string]string, namespace, over string) (object, error) {
	values, meta, more := object{}, object{}, object{}
	if err := yaml.Unmarshal([]byte(files["values.yaml"]), &values); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal([]byte(files["Chart.yaml"]), &meta); err != nil {
		return nil, err
	}
	if over != "-" {
		text, err := os.ReadFile(over)
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text, &more); err != nil {
			return nil, err
		}
	}
	merge(values, more)
	if err := checkSchema(files["values.schema.json"], values); err != nil {
		return nil, err
	}
	return object{
		"Values":  values,
		"Release": object{"Name": "tandem", "Namespace": namespace},
		"Chart":   object{"AppVersion": meta["appVersion"], "Version": meta["version"]},
	}, nil
}

func renderChart(path, namespace, over string, names []string, out io.Writer) error {
	files, err := readChart(path)
	if err != nil {
		return err
	}
	data, err := chartData(files, namespace, over)
	if err != nil {
		return err
	}
	funcs := sprig.TxtFuncMap()
	funcs["toYaml"] = toYaml
	io.WriteString(out, files["crds/tandem.yaml"])
	for _, name := range names {
		text, ok := files["templates/"+name+".yaml"]
		if !ok {
			return fmt.Errorf("the chart has no templates/%s.yaml", name)
		}
		t, err := template.New(name).Option("missingkey=error").Funcs(funcs).Parse(text)
		if err != nil {
			return err
		}
		io.WriteString(out, "---\n")
		if err := t.Execute(out, data); err != nil {
			return err
		}
	}
	return nil
}

func printObjects(path string, out io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var lines []string
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		if err := d.Decode(&o); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if o == nil {
			continue
		}
		line, err := json.Marshal(o)
		if err != nil {
			return err
		}
		lines = append(lines, string(line))
	}
	sort.Strings(lines)
	fmt.Fprintln(out, strings.Join(lines, "\n"))
	return nil
}

func main() {
	var out bytes.Buffer
	err := errors.New("usage: render chart CHART.tgz NAMESPACE VALUES FILE... | render objects FILE")
	if len(os.Args) > 5 && os.Args[1] == "chart" {
		err = renderChart(os.Args[2], os.Args[3], os.Args[4], os.Args[5:], &out)
	} else if len(os.Args) == 3 && os.Args[1] == "objects" {
		err = printObjects(os.Args[2], &out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
	os.Stdout.Write(out.Bytes())
}
