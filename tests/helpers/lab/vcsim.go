// Command vcsim serves govmomi's vSphere simulator: an ESXi host, or a vCenter with one datacenter and four hosts.
// It prints its address and ends with SIGTERM. `.ci/setup test` builds it.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	esx := flag.Bool("esx", false, "be an ESXi host, not a vCenter")
	vms := flag.Int("vm", 2, "machines of each resource pool: a vCenter has two, a host one")
	secure := flag.Bool("tls", false, "serve HTTPS, with a certificate that nobody trusts")
	flag.Parse()
	model := simulator.VPX()
	if *esx {
		model = simulator.ESX()
	}
	model.Machine = *vms
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove()
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword("user", "pass")}
	if *secure {
		model.Service.TLS = new(tls.Config)
	}
	server := model.Service.NewServer()
	defer server.Close()
	fmt.Println("listens at", server.URL.Host)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
}
