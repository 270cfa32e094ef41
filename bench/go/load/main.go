// The client: calls as MediaMTX does, a new TCP connection for every call. Bare system
// calls in one thread, since Go's own net costs as much as what is measured.
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
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

type result struct {
	Seconds   float64 `json:"seconds"`
	Latencies []int64 `json:"latencies_us"`
}

type load struct {
	server  syscall.SockaddrInet4
	request []byte
	poll    int
	started map[int]time.Time // by descriptor
	answer  [4096]byte
	result
}

func main() {
	log.SetFlags(0)
	runtime.LockOSThread()
	port, clients := number(os.Args[1]), number(os.Args[2])
	seconds := must(strconv.ParseFloat(os.Args[3], 64))
	all := load{
		server:  syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}},
		request: must(io.ReadAll(os.Stdin)),
		poll:    must(syscall.EpollCreate1(0)),
		started: make(map[int]time.Time, clients),
	}
	all.run(clients, time.Duration(seconds*float64(time.Second)))
	check(json.NewEncoder(os.Stdout).Encode(all.result))
}

func (l *load) run(clients int, during time.Duration) {
	begin := time.Now()
	for i := 0; i < clients; i++ {
		l.call()
	}
	events := make([]syscall.EpollEvent, clients)
	for len(l.started) > 0 {
		n, err := syscall.EpollWait(l.poll, events, -1)
		if err == syscall.EINTR {
			continue
		}
		check(err)
		for _, event := range events[:n] {
			l.finish(int(event.Fd))
			if time.Since(begin) < during {
				l.call()
			}
		}
	}
	l.Seconds = time.Since(begin).Seconds()
}

func (l *load) call() {
	start := time.Now()
	fd := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	check(syscall.Connect(fd, &l.server))
	must(syscall.Write(fd, l.request))
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	check(syscall.EpollCtl(l.poll, syscall.EPOLL_CTL_ADD, fd, &event))
	l.started[fd] = start
}

func (l *load) finish(fd int) {
	n := must(syscall.Read(fd, l.answer[:]))
	if !bytes.HasPrefix(l.answer[:n], []byte("HTTP/1.1 200")) {
		log.Fatalf("a wrong answer: %q", l.answer[:n])
	}
	l.Latencies = append(l.Latencies, time.Since(l.started[fd]).Microseconds())
	delete(l.started, fd)
	check(syscall.Close(fd))
}

func number(text string) int {
	return must(strconv.Atoi(text))
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
