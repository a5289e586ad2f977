using System.Globalization;
using OciTool.Fuzz;
using OciTool.Fuzz.Targets;
using SharpFuzz;

// instrument DIRECTORY                        makes the code that is tested there report its branches
// run TARGET CORPUS OUTPUT SECONDS [SEED]     fuzzes; the exit status is 1 when a failure was found
// replay TARGET FILE...                       runs inputs that failed
// corpus DIRECTORY                            writes the seeds
switch (args)
{
    case ["instrument", var directory]:
        string[] code = ["OciTool.Storage.Tar.", "OciTool.Storage.Layers.", "OciTool.Storage.Erofs.", "SharpCompress.Compressors.ZStandard"];
        foreach (string assembly in (string[])["OciTool.Storage.dll", "SharpCompress.dll"])
        {
            int types = Fuzzer.Instrument(Path.Join(directory, assembly), type => Array.Exists(code, type.StartsWith), Options.Value).Count();
            Console.WriteLine($"{assembly}: {types} types report their branches");
        }

        return 0;
    case ["run", var name, var corpus, var output, var seconds, .. var rest]:
        ulong seed = rest is [var text] ? ulong.Parse(text, CultureInfo.InvariantCulture) : 1;
        byte[][] inputs = [.. Directory.GetFiles(Path.Join(corpus, Named(name).Corpus)).Order().Select(File.ReadAllBytes)];
        TimeSpan time = TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture));
        return new FuzzLoop(Named(name), output).Run(inputs, time, seed) == 0 ? 0 : 1;
    case ["replay", var name, .. var files]:
        foreach (string file in files)
        {
            Named(name).Run(File.ReadAllBytes(file));
        }

        return 0;
    case ["corpus", var directory]:
        Seeds.Write(directory);
        return 0;
    default:
        Console.Error.WriteLine("usage: instrument DIRECTORY | run TARGET CORPUS OUTPUT SECONDS [SEED] | replay TARGET FILE... | corpus DIRECTORY");
        return 2;
}

static IFuzzTarget Named(string name) =>
    FuzzTargets.All.FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException($"no target '{name}': there are {string.Join(", ", FuzzTargets.All.Select(target => target.Name))}", nameof(name));
