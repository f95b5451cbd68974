// SPDX-License-Identifier: Apache-2.0
// What the runtimes' own library makes of a conf: for libcni.sh, which compares it with what we make of it.
//
//	libcni run FILE PLUGINS CACHE   ADD of that conf as a runtime does it; exit 1 and a line where it refuses
//	libcni norm FILE...             each file's JSON with its keys sorted, without prevResult and capabilities
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/containernetworking/cni/libcni"
)

func run(file, plugins, cache string) error {
	var list *libcni.NetworkConfigList
	var err error
	if strings.HasSuffix(file, ".conflist") {
		list, err = libcni.ConfListFromFile(file)
	} else {
		var conf *libcni.NetworkConfig
		if conf, err = libcni.ConfFromFile(file); err == nil {
			list, err = libcni.ConfListFromConf(conf)
		}
	}
	if err != nil {
		return err
	}
	c := libcni.NewCNIConfigWithCacheDir([]string{plugins}, cache, nil)
	_, err = c.AddNetworkList(context.Background(), list, &libcni.RuntimeConf{
		ContainerID: "c1", NetNS: "/run/netns/none", IfName: "eth0"})
	return err
}

func norm(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var v map[string]interface{}
	if err = json.Unmarshal(text, &v); err != nil {
		return err
	}
	delete(v, "prevResult")
	// The specification has it dropped, which libcni does not; and no version is the first one.
	delete(v, "capabilities")
	if v["cniVersion"] == "" {
		v["cniVersion"] = "0.1.0"
	}
	out, err := json.Marshal(v)
	if err == nil {
		fmt.Println(string(out))
	}
	return err
}

func main() {
	var err error
	if len(os.Args) == 5 && os.Args[1] == "run" {
		err = run(os.Args[2], os.Args[3], os.Args[4])
	} else {
		for _, file := range os.Args[2:] {
			if err = norm(file); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}
