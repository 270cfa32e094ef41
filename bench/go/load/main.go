// The client: calls as MediaMTX does, a new TCP connection for every call.
//
//	load PORT CLIENTS SECONDS < request
//
// SECONDS 0: every client calls once, all of them at the same time. Prints JSON.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

type result struct {
	Seconds   float64 `json:"seconds"`
	Latencies []int64 `json:"latencies_us"`
}

func main() {
	log.SetFlags(0)
	address := "127.0.0.1:" + os.Args[1]
	clients, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	if err != nil {
		log.Fatal(err)
	}
	request, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	begin := time.Now()
	end := begin.Add(time.Duration(seconds * float64(time.Second)))
	found := make([][]int64, clients)
	var wait sync.WaitGroup
	for i := range found {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			for {
				found[i] = append(found[i], call(address, request))
				if !time.Now().Before(end) {
					return
				}
			}
		}(i)
	}
	wait.Wait()
	all := result{Seconds: time.Since(begin).Seconds()}
	for _, some := range found {
		all.Latencies = append(all.Latencies, some...)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		log.Fatal(err)
	}
}

func call(address string, request []byte) int64 {
	start := time.Now()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	if _, err := connection.Write(request); err != nil {
		log.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, err := connection.Read(answer)
	if err != nil {
		log.Fatal(err)
	}
	if !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 200")) {
		log.Fatalf("a wrong answer: %q", answer[:n])
	}
	return time.Since(start).Microseconds()
}
